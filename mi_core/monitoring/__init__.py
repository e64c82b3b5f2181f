"""The watch: what to look at, whom to tell, who is about to leave."""
