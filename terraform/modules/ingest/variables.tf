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
  description = "Zip file and handler of the function that switches a single ML host on and off; null: none."
  type        = object({ package = string, handler = string })
}

variable "starter_host" {
  description = "ARN and id of the host that the function may start; null when ML is a group, which starts by itself."
  type        = object({ arn = string, id = string })
}

variable "idle_minutes" {
  description = "Minutes without a file or a job until the function switches the host off."
  type        = number
}

variable "log_days" {
  description = "Days that the function's log is kept."
  type        = number
}
