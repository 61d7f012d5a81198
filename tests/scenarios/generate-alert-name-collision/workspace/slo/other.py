from sloproof import SLO, ErrorRatio, Service

checkout = Service(name="shop-checkout", owner="shop team", job="checkout")
sli = ErrorRatio(errors="failed_total", total="all_total")
rest = SLO(service=checkout, name="availability", objective="99.9", sli=sli)
