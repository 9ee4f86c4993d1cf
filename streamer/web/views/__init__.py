"""What the API tells, as functions of the partitions' state: no HTTP, no clock, no Kafka."""
