"""The page in a real browser, and the client it is made with."""
