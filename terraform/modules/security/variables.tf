variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the security groups."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC, which are not the internet's."
  type        = string
}

variable "matrix" {
  description = "network_matrix.json, decoded: the only place where rules are written."
  type = object({
    places = map(object({ kind = string, why = string }))
    rules = list(object({
      from = string, to = string, port = number, protocol = string, why = string, when = optional(string)
    }))
  })

  validation {
    condition     = alltrue([for rule in var.matrix.rules : rule.from != "internet" || (rule.to == "edge" && contains([80, 443], rule.port))])
    error_message = "The internet may reach the edge on 443 and 80, and nothing else."
  }
}

variable "places" {
  description = "Places of the matrix that this portal has; rules of others are left out."
  type        = set(string)
}

variable "switches" {
  description = "Switches that are on; a rule with another `when` is left out."
  type        = set(string)
}

variable "addresses" {
  description = "Address ranges of places of the kind `addresses`."
  type        = map(set(string))
}

variable "s3_prefix_list_id" {
  description = "Addresses of S3 in this region."
  type        = string
}

variable "buckets" {
  description = "Names of the buckets `studies`, `models` and `logs`."
  type        = object({ studies = string, models = string, logs = string })
}

variable "github_repository" {
  description = "owner/name whose production environment may push images and deploy; empty: none."
  type        = string
}

variable "log_group_prefix" {
  description = "Log groups that hosts may write to begin with this."
  type        = string
}

variable "healthimaging_datastore" {
  description = "Data store of AWS HealthImaging that App brings DICOM results into; empty: none."
  type        = string
  default     = ""
}
