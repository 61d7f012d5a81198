"""A Grafana dashboard as a page of ours, drawn from a live Prometheus."""
