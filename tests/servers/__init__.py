"""Real servers for the tests: started on loopback at a port that is free, in a folder of their own, and stopped."""
