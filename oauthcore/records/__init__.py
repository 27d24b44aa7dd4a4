"""What is remembered: frozen records, their lifecycles, and when one is live."""
