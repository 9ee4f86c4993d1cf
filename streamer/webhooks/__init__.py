"""What is published, told to those who cannot read Kafka: signed HTTP requests.

``streamer webhooks run`` is a process of its own, and reads as any subscriber does: whatever a
receiver does, scoring knows nothing of it. Kafka is the queue: nothing is kept here but the records
under way, and each endpoint has a consumer group of its own, so that none waits for another.

The way of an update: ``courier`` reads it and keeps a customer's updates in order, ``delivery``
tries until it is taken or given up, ``posting`` makes and signs the request, ``letters`` keeps what
was given up, ``progress`` says up to where all is settled, and that is committed.
"""
