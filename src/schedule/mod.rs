//! Sets of instants: cron, zones, windows, calendars.
