"""BG/NBD with incidents: when something goes wrong, customers leave more readily, or not.

:mod:`model` says what the parameters are and answers; :mod:`covariates` makes numbers of what is
known of an incident; :mod:`fates` lists every way a history can have gone; :mod:`separate` and
:mod:`shared` are the two ways in which an incident can end a relationship; :mod:`likelihood` adds
the fates up, :mod:`fit` finds the mode, :mod:`effects` says what was learned and from what.
"""
