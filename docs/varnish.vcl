# Varnish before Masthead, with cdn = "esi" (or "surrogate"). Varnish 7.1 or
# newer with the modules xkey, cookie, directors and std: on Debian the packages
# varnish and varnish-modules. How to set it up: docs/operate.md, "With a CDN".
#
# What a newsroom has of its own stands in masthead-nodes.vcl beside this file:
# the nodes, and what a true PURGE is known by. See docs/varnish-nodes.vcl.
#
# What is kept here is a function of the address alone (and of gzip). A request
# that shows anything by which the newsroom could decide otherwise (a cookie of
# its own, a crawler's name) gets nothing from the cache but open pages without
# what is in their holes. The newsroom holds the same from its side: it sends
# Surrogate-Control with nothing else, and without it nothing is kept.

vcl 4.1;

import cookie;
import std;
import xkey;

include "masthead-nodes.vcl"; # the director "nodes", and the sub "purge_allowed"

sub vcl_recv {
	set req.backend_hint = nodes.backend();
	unset req.http.X-Visitor;
	unset req.http.Surrogate-Capability;

	if (req.method == "PURGE") {
		if (req.esi_level > 0 || req.restarts > 0) {
			return (synth(400));
		}
		call purge_allowed;
		unset req.http.X-Purge-Secret;
		if (!req.http.Xkey-Purge) {
			return (synth(400, "Xkey-Purge is missing"));
		}
		return (synth(200, "purged " + xkey.purge(req.http.Xkey-Purge)));
	}
	if (req.method != "GET" && req.method != "HEAD") {
		return (pass);
	}

	# Of these nothing is ever kept.
	if (req.http.Authorization || req.url ~ "^/([a-z][a-z][a-z]?(-[A-Za-z0-9]+)*/)?(api|desk|dev|account|register|signin|signout|search|gift)([/?]|$)") {
		return (pass);
	}

	# Where a visitor came from counts, what he read there does not.
	set req.http.Referer = regsub(req.http.Referer, "^([a-zA-Z]+://[^/?#]*).*$", "\1/");
	if (req.http.Referer == "") {
		unset req.http.Referer;
	}

	# What campaigns add to an address says nothing to the newsroom.
	if (req.url ~ "[?&](utm_[a-z_]+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid)=") {
		set req.url = regsuball(req.url, "([?&])(utm_[a-z_]+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid)=[^&#]*", "\1");
		set req.url = regsub(regsub(regsuball(req.url, "&&+", "&"), "\?&+", "?"), "[?&]+$", "");
	}

	# Only the newsroom's own cookies decide anything.
	cookie.parse(req.http.Cookie);
	cookie.keep_re("^(__Host-)?(reader|pass|staff|meter|signin|notice)$");
	# No meter counts the front page, lists of a topic, an author or a month, feeds and files.
	if (req.url ~ "^/([a-z][a-z]/)?(\?.*)?$" || req.url ~ "^/([a-z][a-z]/)?(topic|author|archive|sitemap|assets|media)/"
		|| req.url ~ "\.(xml|json|txt)$" || req.url ~ "^/([a-z][a-z]/)?[0-9]{4}/[0-9]{2}/$") {
		cookie.delete("meter");
		cookie.delete("__Host-meter");
	}
	set req.http.Cookie = regsub(cookie.get_string(), ";\s*$", "");
	if (req.url ~ "^/(assets|media)/" || req.url ~ "\.(xml|txt)$" || req.url ~ "/feed\.json$" || req.http.Cookie == "") {
		unset req.http.Cookie;
	}

	# A crawler may read more, if it is genuine, which the newsroom finds out. Add
	# here the names of the lists in crawler-ranges that are not among these.
	if (req.http.User-Agent ~ "(?i)googlebot|google-inspectiontool|storebot-google|bingbot|msnbot|applebot|yandex\.com/bots|yandexbot|duckduckbot|baiduspider|petalbot|seznambot"
		&& req.url !~ "^/(assets|media)/") {
		return (pass);
	}
	if (req.http.Cookie) {
		# Once a minute a signed-in reader is seen by the newsroom itself, which renews
		# his session and hands him a pass; with that, pages may come from here.
		if (req.http.Cookie ~ "(^|; )(__Host-)?reader=" && req.http.Cookie !~ "(^|; )(__Host-)?pass=") {
			return (pass);
		}
		set req.http.X-Visitor = "known";
	} else {
		set req.http.X-Visitor = "anonymous";
	}
	# The holes of a page are filled for one visitor; "Next for you" is the same for all.
	if (req.url ~ "[?&]hole=" && req.url !~ "[?&]hole=next-for-you$") {
		return (pass);
	}
	# An hour is kept at most, and longer only while no node is well.
	if (std.healthy(req.backend_hint)) {
		set req.grace = 2s;
	}
	return (hash);
}

sub vcl_hash {
	# The scheme is a part of the address: cookies are named by it.
	hash_data(req.http.X-Forwarded-Proto);
}

sub vcl_backend_fetch {
	if (!bereq.uncacheable && bereq.url !~ "[?&]hole=") {
		set bereq.http.Surrogate-Capability = {"varnish="ESI/1.0""};
	}
}

sub vcl_backend_response {
	# Visitors are of two kinds here, and "Cookie" is what tells them apart.
	if (beresp.http.Vary) {
		set beresp.http.Vary = regsuball(beresp.http.Vary, "(?i)\bCookie\b", "X-Visitor");
	}
	# What failed does not take the place of what is kept, and stands in no page.
	if (beresp.status >= 500 && bereq.is_bgfetch) {
		return (abandon);
	}
	if (beresp.status != 200 && bereq.url ~ "[?&]hole=") {
		return (error(502));
	}
	if (bereq.uncacheable) {
		return (deliver);
	}
	if (beresp.http.Set-Cookie || beresp.http.Surrogate-Control !~ "max-age=[0-9]") {
		# Pictures and styles, and small files such as robots.txt.
		if (!beresp.http.Set-Cookie && beresp.status == 200 && beresp.http.Cache-Control ~ "^public, max-age=[0-9]+") {
			set beresp.grace = 10s;
			return (deliver);
		}
		set beresp.ttl = 120s;
		set beresp.uncacheable = true;
		return (deliver);
	}
	set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "^.*max-age=([0-9]+).*$", "\1s"), 0s);
	set beresp.grace = 0s;
	if (beresp.http.Surrogate-Control ~ "max-age=[0-9]+\+[0-9]+") {
		set beresp.grace = std.duration(regsub(beresp.http.Surrogate-Control, "^.*max-age=[0-9]+\+([0-9]+).*$", "\1s"), 0s);
	}
	set beresp.keep = 0s;
	if (beresp.http.Surrogate-Control ~ {"content="ESI/1\.0""}) {
		set beresp.do_esi = true;
	}
	return (deliver);
}

sub vcl_backend_error {
	if (bereq.url ~ "[?&]hole=") {
		# A page is shown without what cannot be had.
		set beresp.http.Content-Type = "text/html; charset=utf-8";
		synthetic("");
		return (deliver);
	}
	# Another node may be well.
	if (bereq.retries < 2 && (bereq.method == "GET" || bereq.method == "HEAD")) {
		set bereq.backend = nodes.backend();
		return (retry);
	}
}

sub vcl_deliver {
	if (req.esi_level > 0) {
		return (deliver);
	}
	unset resp.http.Surrogate-Control;
	unset resp.http.Surrogate-Key;
	unset resp.http.xkey;
	set resp.http.Vary = regsuball(resp.http.Vary, "X-Visitor", "Cookie");
	if (resp.http.Vary == "") {
		unset resp.http.Vary;
	}
	if (obj.hits > 0) {
		set resp.http.X-Cache = "HIT";
		unset resp.http.X-Request-Id; # of the request that filled the cache
	} else {
		set resp.http.X-Cache = "MISS";
	}
	if (resp.http.Cache-Control ~ "max-age=" && resp.http.Cache-Control !~ "immutable") {
		unset resp.http.Age; # what is kept here is as fresh as at the newsroom
	}
}
