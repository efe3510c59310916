<?php
// Makes a WordPress site for the benchmark: ROOT ADDRESS install, then ROOT
// ADDRESS fill, which reads stories from standard input, one JSON array a line
// (slug, date in UTC, title, excerpt, content), and writes the cookie of a
// subscriber who is signed in.
[, $root, $address, $step] = $argv;
$_SERVER += ['HTTP_HOST' => $address, 'SERVER_NAME' => $address, 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1'];

// Nobody is written to.
function wp_mail() {
    return true;
}

if ($step === 'install') {
    define('WP_INSTALLING', true);
    require $root . '/wp-load.php';
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('The Bench', 'owner', 'owner@bench.example', true, '', wp_generate_password());
    exit;
}

require $root . '/wp-load.php';
$wp_rewrite->set_permalink_structure('/%postname%/');
flush_rewrite_rules();
wp_delete_post(1, true); // what it begins with

$rows = [];
$write = function () use (&$rows, $wpdb) {
    if ($rows && !$wpdb->query("INSERT INTO $wpdb->posts (post_author, post_status, post_name, post_date, post_date_gmt, post_modified, post_modified_gmt,
        post_title, post_excerpt, post_content, to_ping, pinged, post_content_filtered, guid) VALUES " . implode(', ', $rows))) {
        fwrite(STDERR, $wpdb->last_error);
        exit(1);
    }
    $rows = [];
};
while (($line = fgets(STDIN)) !== false) {
    [$slug, $at, $title, $excerpt, $content] = json_decode($line, false, 4, JSON_THROW_ON_ERROR);
    $rows[] = $wpdb->prepare("(1, 'publish', %s, %s, %s, %s, %s, %s, %s, %s, '', '', '', %s)",
        $slug, $at, $at, $at, $at, $title, $excerpt, $content, home_url('/' . $slug . '/'));
    if (count($rows) === 200) {
        $write();
    }
}
$write();
$wpdb->query("INSERT INTO $wpdb->term_relationships (object_id, term_taxonomy_id) SELECT ID, 1 FROM $wpdb->posts WHERE post_type = 'post'");
wp_update_term_count_now([1], 'category');

$id = wp_create_user('reader', wp_generate_password(), 'reader@bench.example');
$until = time() + 2 * DAY_IN_SECONDS;
$token = WP_Session_Tokens::get_instance($id)->create($until);
echo LOGGED_IN_COOKIE, '=', rawurlencode(wp_generate_auth_cookie($id, $until, 'logged_in', $token)), "\n";
