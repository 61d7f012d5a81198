"""The `tasks` system: a balancer, stateless API instances and one PostgreSQL."""
