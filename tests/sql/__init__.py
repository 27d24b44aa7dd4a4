"""Records in SQL databases: the contract of storage on every database and with every driver."""
