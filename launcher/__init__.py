"""`make run`: starts every tier of the portal on one machine, waits until all are ready, and stops all of them."""
