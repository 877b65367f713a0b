"""The rooms that touch data: reading it (`sources`), proving it (`gates`), and making a sample of it (`sample`)."""
