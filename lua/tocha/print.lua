--- Tensors as text: aligned columns, one notation for all elements, only the edges of a large tensor.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local printing = {}

local settings = {precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80, sci_mode = nil}

local spec = {
    {"precision", "size", optional = true},
    {"threshold", "size", optional = true},
    {"edgeitems", "count", optional = true},
    {"linewidth", "count", optional = true},
    {"sci_mode", "boolean", optional = true},
}

--- How tensors print: precision (4) digits behind the point, threshold (1000) elements above which only edgeitems
--- (3) at each end of a dim show, linewidth (80) columns, sci_mode true or false to force or forbid the notation
--- 1.0000e+00 (unless set, the values decide). Options that are not given go back to these defaults.
--- Returns the settings that held before, which the next call takes as they are.
function printing.set_printoptions(...)
    local given = options.read("set_printoptions", spec, ...)
    local before = settings
    settings = {
        precision = given.precision or 4,
        threshold = given.threshold or 1000,
        edgeitems = given.edgeitems or 3,
        linewidth = given.linewidth or 80,
        sci_mode = given.sci_mode,
    }
    return before
end

local function is_finite(v)
    return v == v and v ~= math.huge and v ~= -math.huge
end

--- Smallest and largest magnitude of the finite elements that are not 0 (nil: none), and whether all are whole.
local function survey(values)
    local least, most, whole
    whole = true
    for _, v in ipairs(values) do
        if is_finite(v) then
            local a = math.abs(v)
            whole = whole and a == math.floor(a)
            if a > 0 then
                least = math.min(least or a, a)
                most = math.max(most or a, a)
            end
        end
    end
    return least, most, whole
end

local function is_scientific(least, most, whole)
    if settings.sci_mode ~= nil then
        return settings.sci_mode
    elseif not most then
        return false
    elseif whole then
        return most > 1e8
    end
    return most > 1e8 or least < 1e-4 or most / least > 1000
end

--- A string.format pattern that suits all of the values.
local function float_pattern(values)
    local least, most, whole = survey(values)
    if is_scientific(least, most, whole) then
        return "%." .. settings.precision .. "e"
    end
    return whole and "%.0f" or "%." .. settings.precision .. "f"
end

local function format_float(pattern, v)
    return v ~= v and "nan" or pattern:format(v)
end

--- Texts of numbers that stand for complex ones, real and imaginary parts by turns.
local function format_pairs(values)
    local texts = {}
    local pattern = float_pattern(values)
    for i = 1, #values, 2 do
        local im = format_float(pattern, values[i + 1])
        texts[#texts + 1] = format_float(pattern, values[i]) .. (im:find("^-") and "" or "+") .. im .. "i"
    end
    return texts
end

--- The texts of x's elements in row-major order.
local function format_all(x)
    if x:is_complex() then
        return format_pairs(core.view_as_real(x:reshape(-1)):reshape(-1):tolist())
    end
    local values, texts = x:reshape(-1):tolist(), {}
    local pattern = x:is_floating_point() and float_pattern(values)
    for i, v in ipairs(values) do
        texts[i] = pattern and format_float(pattern, v) or tostring(v)
    end
    return texts
end

--- How many elements at each end of every dim show, so that a tensor of many dims stays readable: the outer dims of
--- one show fewer when all together would be many.
local function edges(x)
    local dims, edge = x:dim(), settings.edgeitems
    local counts, shown = {}, 1
    for d = dims, 1, -1 do
        local size = x:size(d)
        local e = edge
        while e > 1 and shown * math.min(size, 2 * e) > 4 * math.max(settings.threshold, 1) do
            e = e - 1
        end
        counts[d] = size > 2 * e and e or nil
        shown = shown * math.min(size, 2 * e)
    end
    return counts
end

--- The edges of dims d and up. All dims are narrowed before anything is copied, so that little is.
local function corners(x, counts, d)
    if d > x:dim() then
        return x
    end
    local e = counts[d]
    if not e then
        return corners(x, counts, d + 1)
    end
    local first, last = x:narrow(d, 1, e), x:narrow(d, x:size(d) - e + 1, e)
    return core.cat({corners(first, counts, d + 1), corners(last, counts, d + 1)}, d)
end

--- The part of x that shows, and per dim the number of elements in front of the ellipsis (nil: none is left out).
local function cut(x)
    if x:numel() <= settings.threshold then
        return x, {}
    end
    local counts = edges(x)
    return corners(x, counts, 1), counts
end

--- Items joined with commas, as many a line as fit; later lines start with indent spaces.
local function join_wrapped(items, width, indent)
    local per_line = math.max(1, (settings.linewidth - indent) // (width + 2))
    local lines = {}
    for first = 1, #items, per_line do
        lines[#lines + 1] = table.concat(items, ", ", first, math.min(first + per_line - 1, #items))
    end
    return table.concat(lines, ",\n" .. (" "):rep(indent))
end

local function pad(text, width)
    return (" "):rep(width - #text) .. text
end

--- A printer's state: sizes of what shows, counts from cut(), texts of the elements, the next one's position.
local function row(state, depth)
    local items = {}
    for i = 1, state.sizes[depth] do
        items[#items + 1] = pad(state.texts[state.next], state.width)
        state.next = state.next + 1
        if i == state.counts[depth] then
            items[#items + 1] = "..."
        end
    end
    return "{" .. join_wrapped(items, state.width, state.indent + depth) .. "}"
end

local function block(state, depth)
    local dims = #state.sizes
    if depth == dims then
        return row(state, depth)
    end
    local parts = {}
    for i = 1, state.sizes[depth] do
        parts[#parts + 1] = block(state, depth + 1)
        if i == state.counts[depth] then
            parts[#parts + 1] = "..."
        end
    end
    local separator = "," .. ("\n"):rep(dims - depth) .. (" "):rep(state.indent + depth)
    return "{" .. table.concat(parts, separator) .. "}"
end

--- The width that all elements are padded to: 0 for what stands on one line, where nothing needs aligning.
local function common_width(texts, sizes, indent)
    local width, rows = 0, 1
    for _, text in ipairs(texts) do
        width = math.max(width, #text)
    end
    for d = 1, #sizes - 1 do
        rows = rows * sizes[d]
    end
    local one_line = rows == 1 and #texts * (width + 2) <= settings.linewidth - indent
    return one_line and 0 or width
end

local function body(x, prefix)
    if x:dim() == 0 then
        return format_all(x)[1], false
    elseif x:numel() == 0 then
        return "{}", true
    end
    local shown, counts = cut(x)
    local sizes = {}
    for d = 1, shown:dim() do
        sizes[d] = shown:size(d)
    end
    local texts = format_all(shown)
    local state = {sizes = sizes, counts = counts, texts = texts, next = 1, indent = #prefix}
    state.width = common_width(texts, sizes, #prefix)
    return block(state, 1), next(counts) ~= nil
end

local function notes(x, partial)
    local list = {}
    if x.dtype ~= "float32" then
        list[#list + 1] = x.dtype
    end
    if tostring(x.device) ~= "cpu" then
        list[#list + 1] = tostring(x.device)
    end
    if partial then
        list[#list + 1] = "shape " .. tostring(x.shape)
    end
    if x.requires_grad then
        list[#list + 1] = x.is_leaf and "requires_grad" or ("grad_fn=<%s>"):format(x.grad_fn:name())
    end
    return list
end

--- The text of a tensor, as tostring() gives it; also that of one that was freed, which messages may name.
function printing.format(x)
    local prefix = "tensor("
    if core._is_freed(x) then
        return prefix .. "freed)"
    elseif not core.is_tensor(x) then
        raise("tostring: expected a tensor, got %s", options.describe(x))
    end
    if core._batch_level(x) then
        return ("tensor(%s %s, one of a vmap's %d samples)"):format(x.dtype, x.shape,
            core._batch_samples(core._batch_level(x)))
    end
    local text, partial = body(x:detach(), prefix)
    local line = #prefix + #text - (text:find("\n[^\n]*$") or 0)
    local parts = {prefix, text}
    for _, note in ipairs(notes(x, partial)) do
        if line + #note + 3 > settings.linewidth then
            parts[#parts + 1] = ",\n" .. (" "):rep(#prefix) .. note
            line = #prefix + #note
        else
            parts[#parts + 1] = ", " .. note
            line = line + #note + 2
        end
    end
    parts[#parts + 1] = ")"
    return table.concat(parts)
end

return printing
