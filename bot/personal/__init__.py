"""What is kept of people: where it stands, for how long, who asked to keep it longer, how it is shown, found and deleted."""
