"""HTTP as plain values: requests, responses, parameters, and text as it came over the wire."""
