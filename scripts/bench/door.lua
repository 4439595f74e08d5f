-- Makes the requests of scripts/bench/door.py for wrk, and prints what came of them as one line of JSON.
--
-- Arguments: the number of entities; the seed; a word that makes names of this round unique; the round's beginning in seconds since
-- 1970; header lines that every request has; then five for each kind of request: its weight, method, path, how many documents its
-- body has, and the document. Headers, path and document have places in braces, which are filled anew for each request:
--
--   {any}                            a random number below the number of entities
--   {next} {this}                    a new name in this round, and the same again
--   {value}                          a random number from -10.00 to 40.00
--   {moment}                         a time, each a tenth of a millisecond after the one before
--   {low} {high}                     a random number and the one 19 above it
--   {west} {south} {east} {north}    a random box of 5 by 5 places of the grid on which entities stand; {west_} {south_} its again
local count, word, began, made, side

local kinds, weights = {}, 0
local spacing = 0.0005
local west, south, low

local places = {
  any = function() return math.random(0, count - 1) end,
  next = function() made = made + 1; return word .. "-" .. made end,
  this = function() return word .. "-" .. made end,
  value = function() return string.format("%.2f", math.random(-1000, 4000) / 100) end,
  moment = function()
    made = made + 1
    local tenths = made % 10000
    return os.date("!%Y-%m-%dT%H:%M:%S", began + (made - tenths) / 10000) .. string.format(".%04d00Z", tenths)
  end,
  low = function() low = math.random(0, math.max(0, count - 20)); return low end,
  high = function() return low + 19 end,
  west = function() west = 2 + math.random(0, math.max(0, side - 5)) * spacing - spacing / 4; return string.format("%.6f", west) end,
  south = function() south = 40 + math.random(0, math.max(0, side - 5)) * spacing - spacing / 4; return string.format("%.6f", south) end,
  west_ = function() return string.format("%.6f", west) end,
  south_ = function() return string.format("%.6f", south) end,
  east = function() return string.format("%.6f", west + 4.5 * spacing) end,
  north = function() return string.format("%.6f", south + 4.5 * spacing) end,
}

-- The text as a function that fills its places, in order.
local function template(text)
  local parts, last = {}, 1
  for first, name, after in text:gmatch("(){([%l_]+)}()") do
    parts[#parts + 1] = text:sub(last, first - 1)
    parts[#parts + 1] = places[name] or error("no place is called " .. name)
    last = after
  end
  parts[#parts + 1] = text:sub(last)
  if #parts == 1 then return function() return text end end
  local filled = {}
  return function()
    for index, part in ipairs(parts) do filled[index] = type(part) == "function" and part() or part end
    return table.concat(filled)
  end
end

local function kind(method, path, document_count, document, headers)
  local start, documents = method .. " ", {}
  path, document, headers = template(path), template(document), template(" HTTP/1.1\r\nHost: localhost\r\n" .. headers)
  if document_count == 0 then
    return function() return start .. path() .. headers() .. "\r\n" end
  end
  return function()
    for index = 1, document_count do documents[index] = document() end
    local body = document_count == 1 and documents[1] or "[" .. table.concat(documents, ",") .. "]"
    return start .. path() .. headers() .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

function init(arguments)
  count, word, began, made = tonumber(arguments[1]), arguments[3], tonumber(arguments[4]), 0
  side = math.floor(math.sqrt(count))
  math.randomseed(tonumber(arguments[2]))
  for first = 6, #arguments, 5 do
    local weight = tonumber(arguments[first])
    weights = weights + weight
    kinds[#kinds + 1] = {
      upTo = weights,
      make = kind(arguments[first + 1], arguments[first + 2], tonumber(arguments[first + 3]), arguments[first + 4], arguments[5]),
    }
    -- A batch is answered with 207 where a part of it was refused, which is no error to wrk.
    if tonumber(arguments[first + 3]) > 1 then
      response = function(status) if status == 207 then partial = (partial or 0) + 1 end end
    end
  end
end

function request()
  if #kinds == 1 then return kinds[1].make() end
  local chance = math.random(1, weights)
  for _, some in ipairs(kinds) do
    if chance <= some.upTo then return some.make() end
  end
end

local thread
function setup(some) thread = some end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "max": %d, "refused": %d, "partial": %d, "broken": %d, "unconnected": %d, "late": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, errors.status,
    thread:get("partial") or 0, errors.read + errors.write, errors.connect, errors.timeout))
end
