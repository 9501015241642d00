"""Static covariates: purchase rate and dropout that depend on what is known of each customer.

::

    columns ──► effects ──► likelihood ──► fit ──► model
    a frame      what a       of each      by ML    answers, one customer
    becomes      coefficient  history               or all of them
    numbers      does
"""
