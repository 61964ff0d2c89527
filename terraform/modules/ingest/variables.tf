variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "bucket" {
  description = "Name and ARN of the bucket of studies."
  type        = object({ name = string, arn = string })
}

variable "key_arn" {
  description = "KMS key of the queue."
  type        = string
}

variable "prefix" {
  description = "Objects that are created below this become studies and jobs."
  type        = string
  default     = "incoming/"
}

variable "starter" {
  description = "Zip file and handler of the function that starts a switched-off ML host when a file comes; null: none."
  type        = object({ package = string, handler = string })
}

variable "starter_host" {
  description = "ARN and id of the host that the function may start; null when ML is a group, which starts by itself."
  type        = object({ arn = string, id = string })
}

variable "log_days" {
  description = "Days that the function's log is kept."
  type        = number
}
