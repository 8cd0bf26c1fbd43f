--- Errors that point at the user's line: the innermost running function that is not part of this library.

local core = require "tocha.core"

local here = debug.getinfo(1, "S").source
local library = here:match("^(.*[/\\])tocha[/\\][^/\\]*$") or here
core._set_library(library:sub(2))

--- Where the user's code stands, as "file:line: ", or "" where none is running.
local function place()
    local level = 2
    while true do
        local info = debug.getinfo(level, "Sl")
        if not info then
            return ""
        end
        if info.currentline > 0 and info.source:sub(1, #library) ~= library then
            return ("%s:%d: "):format(info.short_src, info.currentline)
        end
        level = level + 1
    end
end

--- Raises string.format(message, ...) with the user's file and line in front.
local function raise(message, ...)
    if select("#", ...) > 0 then
        message = message:format(...)
    end
    error(place() .. message, 0)
end

return raise
