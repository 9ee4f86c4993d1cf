"""Event-driven customer lifetime value and churn scores on Kafka."""
