"""`make bench`: each comparison with the real libraries, side by side; writes docs/performance.md."""
