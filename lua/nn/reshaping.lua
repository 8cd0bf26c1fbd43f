--- What rearranges, pads or resizes its input, and distances, as modules.

local applied = require "nn.applied"
local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local reshaping = {}

--- The dim dim as several of the sizes unflattened_size, of which one may be -1.
--- > nn.Unflatten(2, {2, 3})(tocha.zeros(4, 6)).shape
--- 4x2x3
reshaping.Unflatten = applied("Unflatten", {{"dim", "integer"}, {"unflattened_size", "table"}}, function(self, x)
    return core.unflatten(x, self.dim, self.unflattened_size)
end)

--- Channels in groups of upscale_factor^2 become pixels (Shi et al., CVPR 2016): (n, c * r^2, h, w) gives
--- (n, c, h * r, w * r).
--- > nn.PixelShuffle(2)(tocha.zeros(1, 4, 3, 3)).shape
--- 1x1x6x6
reshaping.PixelShuffle = applied("PixelShuffle", {{"upscale_factor", "count"}}, function(self, x)
    return core.pixel_shuffle(x, self.upscale_factor)
end)

--- The reverse of PixelShuffle: (n, c, h * r, w * r) gives (n, c * r^2, h, w).
--- > nn.PixelUnshuffle(2)(tocha.zeros(1, 1, 6, 6)).shape
--- 1x4x3x3
reshaping.PixelUnshuffle = applied("PixelUnshuffle", {{"downscale_factor", "count"}}, function(self, x)
    return core.pixel_unshuffle(x, self.downscale_factor)
end)

--- Takes the channels of (n, c, *) in turn from each of groups groups.
--- > nn.ChannelShuffle(2)(tocha.tensor({{1.0, 2.0, 3.0, 4.0}}):view(1, 4, 1, 1)):flatten()
--- tensor({1, 3, 2, 4})
reshaping.ChannelShuffle = applied("ChannelShuffle", {{"groups", "count"}}, function(self, x)
    return core.channel_shuffle(x, self.groups)
end)

local upsample_spec = {
    {"size", "any", optional = true}, {"scale_factor", "any", optional = true}, {"mode", "string", "nearest"},
    {"align_corners", "boolean", optional = true}, {"recompute_scale_factor", "boolean", optional = true},
}

--- tocha.interpolate of (n, c, *): to size, or scale_factor times as large, each a number or a list. Options: mode
--- ("nearest"), align_corners, recompute_scale_factor.
--- > nn.Upsample({scale_factor = 2})(tocha.tensor({{{1.0, 2.0}}})):flatten()
--- tensor({1, 1, 2, 2})
reshaping.Upsample = applied("Upsample", upsample_spec, function(self, x)
    return core.interpolate(x, {
        size = self.size, scale_factor = self.scale_factor, mode = self.mode, align_corners = self.align_corners,
        recompute_scale_factor = self.recompute_scale_factor,
    })
end)

local resize_spec = {{"size", "any", optional = true}, {"scale_factor", "any", optional = true}}

--- Upsample with mode "nearest", of images.
--- > nn.UpsamplingNearest2d(4)(tocha.zeros(1, 1, 2, 2)).shape
--- 1x1x4x4
reshaping.UpsamplingNearest2d = applied("UpsamplingNearest2d", resize_spec, function(self, x)
    return core.interpolate(x, {size = self.size, scale_factor = self.scale_factor, mode = "nearest"})
end)

--- Upsample with mode "bilinear" and align_corners, of images.
--- > nn.UpsamplingBilinear2d(4)(tocha.zeros(1, 1, 2, 2)).shape
--- 1x1x4x4
reshaping.UpsamplingBilinear2d = applied("UpsamplingBilinear2d", resize_spec, function(self, x)
    return core.interpolate(x, {
        size = self.size, scale_factor = self.scale_factor, mode = "bilinear", align_corners = true,
    })
end)

local unfold_spec = {
    {"kernel_size", "counts2"}, {"dilation", "counts2", 1}, {"padding", "sizes2", 0}, {"stride", "counts2", 1},
}

--- The windows of images (n, c, h, w) as columns: (n, c * kernel height * kernel width, windows).
--- > nn.Unfold(2)(tocha.zeros(1, 3, 4, 4)).shape
--- 1x12x9
reshaping.Unfold = applied("Unfold", unfold_spec, function(self, x)
    return core.im2col(x, self.kernel_size, self.dilation, self.padding, self.stride)
end)

--- The reverse of Unfold, to images of output_size; where windows overlap they are added.
--- > nn.Fold({4, 4}, 2)(tocha.zeros(1, 12, 9)).shape
--- 1x3x4x4
reshaping.Fold = applied("Fold", table.move(unfold_spec, 1, 4, 2, {{"output_size", "counts2"}}), function(self, x)
    local size = type(self.output_size) == "table" and self.output_size or {self.output_size, self.output_size}
    return core.col2im(x, size, self.kernel_size, self.dilation, self.padding, self.stride)
end)

--- The arguments of a class of padding over so many dims: the padding is a number for all sides, or a list of two for
--- each dim, the last dim first.
local function padding(name, dims, mode, more)
    local spec = {{"padding", "any"}, more}
    return name, spec, function(self, x)
        return core.pad(x, self.padding, mode, mode == "constant" and (self.value or 0) or nil)
    end, function(self, o)
        local given, list = o.padding, {}
        for i = 1, 2 * dims do
            list[i] = type(given) == "table" and given[i] or math.type(given) == "integer" and given or nil
        end
        if #list ~= 2 * dims or type(given) == "table" and #given ~= 2 * dims then
            raise("%s: padding must be a whole number or a list of %d, got %s", name, 2 * dims,
                options.describe(given))
        end
        self.padding = list
    end
end

local value = {"value", "number"}

--- value around the last dim: padding is a number, or {left, right}.
--- > nn.ConstantPad1d({1, 2}, 9)(tocha.ones(1, 1))
--- tensor({{9, 1, 9, 9}})
reshaping.ConstantPad1d = applied(padding("ConstantPad1d", 1, "constant", value))

--- value around images: padding is a number, or {left, right, top, bottom}.
--- > nn.ConstantPad2d(1, 9)(tocha.ones(1, 1, 1)).shape
--- 1x3x3
reshaping.ConstantPad2d = applied(padding("ConstantPad2d", 2, "constant", value))

--- value around volumes: padding is a number, or {left, right, top, bottom, front, back}.
--- > nn.ConstantPad3d(1, 9)(tocha.ones(1, 1, 1, 1)).shape
--- 1x3x3x3
reshaping.ConstantPad3d = applied(padding("ConstantPad3d", 3, "constant", value))

--- Zeros around the last dim: padding is a number, or {left, right}.
--- > nn.ZeroPad1d(1)(tocha.ones(1, 1))
--- tensor({{0, 1, 0}})
reshaping.ZeroPad1d = applied(padding("ZeroPad1d", 1, "constant"))

--- Zeros around images: padding is a number, or {left, right, top, bottom}.
--- > nn.ZeroPad2d({1, 0, 0, 1})(tocha.ones(1, 1, 1))
--- tensor({{{0, 1},
---          {0, 0}}})
reshaping.ZeroPad2d = applied(padding("ZeroPad2d", 2, "constant"))

--- Zeros around volumes: padding is a number, or {left, right, top, bottom, front, back}.
--- > nn.ZeroPad3d(1)(tocha.ones(1, 1, 1, 1)).shape
--- 1x3x3x3
reshaping.ZeroPad3d = applied(padding("ZeroPad3d", 3, "constant"))

--- The last dim mirrored at its ends, which are not repeated: padding is a number, or {left, right}.
--- > nn.ReflectionPad1d(1)(tocha.tensor({{1.0, 2.0, 3.0}}))
--- tensor({{2, 1, 2, 3, 2}})
reshaping.ReflectionPad1d = applied(padding("ReflectionPad1d", 1, "reflect"))

--- Images mirrored at their edges, which are not repeated: padding is a number, or {left, right, top, bottom}.
--- > nn.ReflectionPad2d(1)(tocha.zeros(1, 2, 2)).shape
--- 1x4x4
reshaping.ReflectionPad2d = applied(padding("ReflectionPad2d", 2, "reflect"))

--- ReflectionPad2d for volumes: padding is a number, or {left, right, top, bottom, front, back}.
--- > nn.ReflectionPad3d(1)(tocha.zeros(1, 2, 2, 2)).shape
--- 1x4x4x4
reshaping.ReflectionPad3d = applied(padding("ReflectionPad3d", 3, "reflect"))

--- The ends of the last dim repeated: padding is a number, or {left, right}.
--- > nn.ReplicationPad1d(1)(tocha.tensor({{1.0, 2.0}}))
--- tensor({{1, 1, 2, 2}})
reshaping.ReplicationPad1d = applied(padding("ReplicationPad1d", 1, "replicate"))

--- The edges of images repeated: padding is a number, or {left, right, top, bottom}.
--- > nn.ReplicationPad2d(1)(tocha.zeros(1, 2, 2)).shape
--- 1x4x4
reshaping.ReplicationPad2d = applied(padding("ReplicationPad2d", 2, "replicate"))

--- The edges of volumes repeated: padding is a number, or {left, right, top, bottom, front, back}.
--- > nn.ReplicationPad3d(1)(tocha.zeros(1, 2, 2, 2)).shape
--- 1x4x4x4
reshaping.ReplicationPad3d = applied(padding("ReplicationPad3d", 3, "replicate"))

--- The last dim continued from its other end: padding is a number, or {left, right}.
--- > nn.CircularPad1d(1)(tocha.tensor({{1.0, 2.0, 3.0}}))
--- tensor({{3, 1, 2, 3, 1}})
reshaping.CircularPad1d = applied(padding("CircularPad1d", 1, "circular"))

--- Images continued from their other edges: padding is a number, or {left, right, top, bottom}.
--- > nn.CircularPad2d(1)(tocha.zeros(1, 2, 2)).shape
--- 1x4x4
reshaping.CircularPad2d = applied(padding("CircularPad2d", 2, "circular"))

--- Volumes continued from their other edges: padding is a number, or {left, right, top, bottom, front, back}.
--- > nn.CircularPad3d(1)(tocha.zeros(1, 2, 2, 2)).shape
--- 1x4x4x4
reshaping.CircularPad3d = applied(padding("CircularPad3d", 3, "circular"))

--- The cosine of the angle between two tensors along dim (2). Options: dim, eps (1e-8), below which no length counts.
--- > nn.CosineSimilarity()(tocha.tensor({{3.0, 4.0}}), tocha.tensor({{3.0, 0.0}}))
--- tensor({0.6000})
reshaping.CosineSimilarity = applied("CosineSimilarity", {{"dim", "integer", 2}, {"eps", "rate", 1e-8}},
    function(self, a, b)
        return core.cosine_similarity(a, b, self.dim, self.eps)
    end)

--- The p-norm of the difference of two tensors along their last dim. Options: p (2), eps (1e-6), which is added to the
--- difference, keepdim (false).
--- > nn.PairwiseDistance({eps = 0})(tocha.tensor({{3.0, 4.0}}), tocha.zeros(1, 2))
--- tensor({5})
reshaping.PairwiseDistance = applied("PairwiseDistance",
    {{"p", "number", 2.0}, {"eps", "number", 1e-6}, {"keepdim", "boolean", false}}, function(self, a, b)
        return core.pairwise_distance(a, b, self.p, self.eps, self.keepdim)
    end)

return reshaping
