"""Systems outside the product, as plain typed Python: no Django, no import of athena_dash."""
