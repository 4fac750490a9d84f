"""What both hardware forms are: units, windows, schedules, FIFO depths, memories, thresholds."""
