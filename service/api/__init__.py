"""The door for programs: tokens, how requests are read, how refusals read, what operations exist.

Each package brings its own blueprint (an ``api`` module beside its operations); ``wsgi.py`` lists
them. Nothing is decided here: an operation of the API calls what the console's page calls.
"""
