--- The poolings whose positions are a second result on request.

local core = require "tocha.core"

local pooling = {}

--- Where return_indices stands among their arguments.
local places = {
    max_pool1d = 7, max_pool2d = 7, max_pool3d = 7,
    adaptive_max_pool1d = 3, adaptive_max_pool2d = 3, adaptive_max_pool3d = 3,
    fractional_max_pool2d = 5, fractional_max_pool3d = 5,
}

for name, place in pairs(places) do
    local pool = core[name]
    pooling[name] = function(...)
        local n = select("#", ...)
        local last = n > 0 and select(n, ...)
        if n >= place and (select(place, ...)) or type(last) == "table" and last.return_indices then
            return pool(...)
        end
        return (pool(...))
    end
end

return pooling
