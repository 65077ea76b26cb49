"""Rules: answers, faults and delays for the traffic that they fit."""
