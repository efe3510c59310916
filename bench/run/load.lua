-- Asks for the lines of a list one after the other. A line is a path, a tab and
-- the Cookie header, which may be empty. The list is built into requests before
-- the load begins, so that making them costs nothing in it. Any answer but 2xx
-- ends the load: wrk itself counts statuses from 400 on as errors, and no others.
local requests, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, cookie = line:match("^([^\t]*)\t(.*)$")
    local headers = { ["Host"] = args[2], ["Accept-Encoding"] = "gzip" }
    if cookie ~= "" then headers["Cookie"] = cookie end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function response(status)
  if status < 200 or status > 299 then
    io.write("answered ", status, "\n")
    os.exit(1)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
