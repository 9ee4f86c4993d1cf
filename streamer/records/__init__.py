"""What flows: Kafka records, events, scores, dead letters. Frozen values without behaviour."""
