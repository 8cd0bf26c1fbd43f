--- Lets a stock Lua 5.4 load Tocha: finds the installation from this file's own place, <prefix>/share/lua/5.4,
--- adds its folders to the search paths (so that nn, optim, data and train are found as well) and returns the
--- real module.
local name, path = ...

local prefix = path and path:match("^(.*)/share/lua/5%.4/[^/]*$")
if not prefix then
    error("tocha: must be loaded by require from <prefix>/share/lua/5.4/tocha.lua, got " .. tostring(path), 0)
end

local lua = prefix .. "/share/tocha/lua/"
package.path = lua .. "?.lua;" .. lua .. "?/init.lua;" .. package.path
package.cpath = prefix .. "/lib/?.so;" .. package.cpath

local real = lua .. "tocha/init.lua"
return assert(loadfile(real))(name, real)
