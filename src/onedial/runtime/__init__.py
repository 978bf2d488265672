"""The door outwards: drivers, model clients, the ledger, the outcome store, replay. Decides nothing."""
