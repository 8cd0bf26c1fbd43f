--- A progress bar on a terminal; elsewhere only the line at the end.

local core = require "tocha.core"
local options = require "tocha.options"

local Progress = {}
Progress.__index = Progress

local REDRAW = 0.1 -- seconds

local spec = {{"total", "size"}, {"label", "string", ""}}

--- A bar of total steps: local bar = train.progress(#loader, {label = "epoch 1"}); call bar:step("loss 0.31") after
--- each step and bar:finish("epoch 1 loss 0.29") at the end, which leaves that line. Where standard output is no
--- terminal, only the last line is written.
local function new(...)
    local o = options.read("progress", spec, ...)
    local now = core._now()
    return setmetatable({total = o.total, label = o.label, done = 0, start = now, drawn = now - REDRAW}, Progress)
end

--- Seconds since the bar was made.
function Progress:elapsed()
    return core._now() - self.start
end

local function draw(self, width, note)
    local total = math.max(self.total, self.done, 1)
    local count = ("%d/%d"):format(self.done, self.total)
    local left = self.label ~= "" and self.label .. " " or ""
    local right = (" %s %s"):format(count, note or "")
    local room = math.min(40, width - 1 - #left - #right - 2)
    local bar = ""
    if room >= 4 then
        local full = room * self.done // total
        bar = "[" .. ("#"):rep(full) .. ("."):rep(room - full) .. "]"
    end
    io.stdout:write("\r", (left .. bar .. right):sub(1, width - 1), "\27[K")
    io.stdout:flush()
end

--- Counts one step; note is a short text that stands behind the bar.
function Progress:step(note)
    self.done = self.done + 1
    local now = core._now()
    if now - self.drawn < REDRAW then
        return
    end
    self.drawn = now
    local width = core._terminal_width()
    if width then
        draw(self, width, note)
    end
end

--- Takes the bar away and writes a line in its place.
function Progress.finish(_, line)
    if core._terminal_width() then
        io.stdout:write("\r\27[K")
    end
    if line then
        io.stdout:write(line, "\n")
    end
    io.stdout:flush()
end

return new
