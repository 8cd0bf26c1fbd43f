--- nn.functional: the operators that networks are made of, under PyTorch's name for them.

local core = require "tocha.core"
local multihead = require "nn.multihead"
local options = require "tocha.options"
local raise = require "tocha.raise"

local functional = {}

for _, name in ipairs {
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "affine_grid", "alpha_dropout", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "celu", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_relu", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag",
    "feature_alpha_dropout", "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample", "group_norm",
    "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "hinge_embedding_loss",
    "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "leaky_relu_",
    "linear", "linear_gelu", "local_response_norm", "log_softmax", "logsigmoid", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot",
    "pad", "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu",
    "relu6", "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu",
    "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "threshold_", "triplet_margin_loss", "upsample",
} do
    functional[name] = assert(core[name], name)
end

-- x:unfold() is another operator, so that these two have other names there.
functional.unfold, functional.fold = core.im2col, core.col2im

functional.native_channel_shuffle = core.channel_shuffle

--- interpolate with mode "nearest": an older name.
function functional.upsample_nearest(input, size, scale_factor)
    return core.interpolate(input, size, scale_factor, "nearest")
end

--- interpolate with mode "bilinear" and align_corners, of images (n, c, h, w): an older name.
function functional.upsample_bilinear(input, size, scale_factor)
    return core.interpolate(input, size, scale_factor, "bilinear", true)
end

local cross_entropy_options = {"weight", "ignore_index", "reduction", "label_smoothing"}

--- cross_entropy of what linear makes of input, (*, n): linear_weight is (classes, n), linear_bias (classes), and
--- target has classes in (*); weight, ignore_index, reduction and label_smoothing as for cross_entropy.
function functional.linear_cross_entropy(...)
    local a = options.read("linear_cross_entropy", {
        {"input", "tensor"}, {"linear_weight", "tensor"}, {"target", "tensor"},
        {"linear_bias", "tensor", optional = true}, {"weight", "tensor", optional = true},
        {"ignore_index", "integer", optional = true}, {"reduction", "string", "mean"}, {"label_smoothing", "number", 0},
    }, ...)
    local named = {}
    for _, name in ipairs(cross_entropy_options) do
        named[name] = a[name]
    end
    return core.cross_entropy(core.linear(a.input, a.linear_weight, a.linear_bias), a.target, named)
end

functional.multi_head_attention_forward = multihead

local reduce = {
    mean = function(x) return x:mean() end,
    sum = function(x) return x:sum() end,
    none = function(x) return x end,
}

--- triplet_margin_loss with a distance of one's own. anchor, positive and negative: of one shape; distance_function
--- (pairwise_distance): a function of two tensors; margin (1); swap (false); reduction ("mean").
function functional.triplet_margin_with_distance_loss(...)
    local o = options.read("triplet_margin_with_distance_loss", {
        {"anchor", "tensor"}, {"positive", "tensor"}, {"negative", "tensor"},
        {"distance_function", "call", core.pairwise_distance}, {"margin", "positive", 1}, {"swap", "boolean", false},
        {"reduction", "string", "mean"},
    }, ...)
    local anchor, positive, negative, distance = o.anchor, o.positive, o.negative, o.distance_function
    if not reduce[o.reduction] then
        raise('triplet_margin_with_distance_loss: reduction must be "none", "mean" or "sum", got %q', o.reduction)
    end
    for name, other in pairs {positive = positive, negative = negative} do
        if tostring(anchor.shape) ~= tostring(other.shape) then
            raise("triplet_margin_with_distance_loss: anchor has shape %s but %s has %s; give them one shape, as with "
                .. "%s:reshape(anchor.shape)", tostring(anchor.shape), name, tostring(other.shape), name)
        end
    end
    local far = distance(anchor, negative)
    if o.swap then
        far = far:minimum(distance(positive, negative))
    end
    return reduce[o.reduction]((distance(anchor, positive) - far + o.margin):clamp(0))
end

return functional
