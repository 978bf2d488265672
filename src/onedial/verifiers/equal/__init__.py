"""When an answer says the same as the reference. For grading, never for choosing: policies and verifiers do not see references."""
