# A newsroom's own part of docs/varnish.vcl: copy it to /etc/varnish/masthead-nodes.vcl.

import directors;
import std;

probe masthead {
	.url = "/robots.txt";
	.interval = 1s;
	.timeout = 1s;
	.window = 4;
	.threshold = 2;
	.initial = 2;
}

# One for each node.
backend node1 { .host = "127.0.0.1"; .port = "8080"; .probe = masthead; }

sub vcl_init {
	new nodes = directors.round_robin();
	nodes.add_backend(node1);
}

# The nodes send what MASTHEAD_CDN_SECRET says. The file holds the same, without
# a newline at its end, and is for Varnish to read alone.
sub purge_allowed {
	if (!req.http.X-Purge-Secret || req.http.X-Purge-Secret != std.fileread("/etc/varnish/masthead.secret")) {
		return (synth(403));
	}
}
