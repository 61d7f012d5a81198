limits = {}
limits['p95']
