"""The live shell: Faust's app, agent and assignor around the pipeline, and Kafka transactions.

A record's way: ``transport`` (a fetch is one message) → ``app`` (the agent) → ``task`` (a unit of
work at a time) → ``pipeline`` → ``transaction`` → commit. ``recovery`` brings rows back first.
"""
