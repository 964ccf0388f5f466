"""One process for each user that keeps engines and models warm, and answers over a private socket.

The client's side imports the standard library and the vocabulary alone: a search through the daemon starts at once.
"""
