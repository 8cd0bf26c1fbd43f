--- Settings that are changed for the time of a call.

--- Calls f() with t[name] set to value, and puts back what was there, whatever happens.
return function(t, name, value, f)
    local before = t[name]
    t[name] = value
    local ok, message = pcall(f)
    t[name] = before
    assert(ok, message)
end
