// Included before the sources of tfjs-node's addon, which sets no attribute that is a list of texts or of types: this
// makes lists of the two that fused convolutions need, "fused_ops" (texts with commas between them) and "TArgs" (one type).
#include <string>
#include <vector>

#include "tensorflow/c/eager/c_api.h"

inline void setTextOrList(TFE_Op *op, const char *name, const void *value, size_t length) {
  if (std::string(name) != "fused_ops") return TFE_OpSetAttrString(op, name, value, length);
  const char *at = static_cast<const char *>(value);
  const char *end = at + length;
  std::vector<const void *> starts;
  std::vector<size_t> lengths;
  while (at < end) {
    const char *comma = at;
    while (comma < end && *comma != ',') ++comma;
    starts.push_back(at);
    lengths.push_back(comma - at);
    at = comma + 1;
  }
  TFE_OpSetAttrStringList(op, name, starts.data(), lengths.data(), static_cast<int>(starts.size()));
}

inline void setTypeOrList(TFE_Op *op, const char *name, TF_DataType value) {
  if (std::string(name) == "TArgs") return TFE_OpSetAttrTypeList(op, name, &value, 1);
  TFE_OpSetAttrType(op, name, value);
}

#define TFE_OpSetAttrString setTextOrList
#define TFE_OpSetAttrType setTypeOrList
