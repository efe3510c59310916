package app

// OpenAt is Open by a given clock.
var OpenAt = open
