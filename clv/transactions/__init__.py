"""From a company's orders to purchase histories.

::

    sources ──► Orders ──► CustomerHistories           read_orders, histories
                  │   └──► Holdout, Tracking           holdout, tracking
    sources ──► IncidentLog ──► CustomerIncidentHistories
                                                       read_incidents, incident_histories

:mod:`sources` opens what can be pointed at, and :mod:`engines` computes over its rows: DuckDB in
this process, or Spark. :mod:`schema` says which column is what, :mod:`reading` and :mod:`values`
what the columns say, :mod:`returns` what takes orders back.

What is done with every row and every customer is an Ibis expression and stays in the engine; only
patterns, counts and examples of faults come to Python. Nothing here knows a model.
"""
