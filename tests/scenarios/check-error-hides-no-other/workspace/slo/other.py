from sloproof import Service

other = Service(name="Other", owner="o", job="j")
