from sloproof import SLO, ErrorRatio, Service

checkout = Service(name="checkout", owner="shop team", job="checkout")
sli = ErrorRatio(errors="failed_total", total="all_total")
objectives = [SLO(service=checkout, name=name, objective="50", sli=sli) for name in ("one", "two")]
