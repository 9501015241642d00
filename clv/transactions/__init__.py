"""From a company's orders to purchase histories.

::

    file or frame ──► Orders ──► CustomerHistories     read_orders, histories
                                ├──────► Holdout, Tracking     holdout, tracking
    file or frame ──► IncidentLog ─┴──► CustomerIncidentHistories
                                                       read_incidents, incident_histories

What is done with every row and every customer is an Ibis expression and stays in the engine; only
patterns, counts and examples of faults come to Python. Nothing here knows a model.
"""
