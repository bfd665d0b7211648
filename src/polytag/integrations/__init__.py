"""polytag in other libraries' terms: `polytag.integrations.spacy` and `polytag.integrations.sklearn`.

Each loads with its library and is imported by its own name; nothing is imported here.
"""
