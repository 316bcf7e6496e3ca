"""A person, one tap away: a question goes to the people who help, their answer comes back to where it was asked."""
