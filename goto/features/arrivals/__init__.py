"""What arrived of the runs of clients, by the ids in their requests (`goto.http.numbered_id`)."""
