"""The process apart in which a vendor's own client runs, in the main environment or one of its own."""
