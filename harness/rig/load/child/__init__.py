"""What lives only in the Locust child: nothing of ours but the locustfile imports it."""
