variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "key_arn" {
  description = "KMS key of logs and notices."
  type        = string
}

variable "tiers" {
  description = "Tiers with a log group each."
  type        = set(string)
}

variable "log_days" {
  description = "Days that the tiers' logs are kept."
  type        = number
}

variable "agent" {
  description = "Whether the CloudWatch agent sends hosts' and tiers' figures, beside or in place of Prometheus."
  type        = bool
}

variable "scrapes" {
  description = "Ports with /metrics of each tier that the agent reads on its own host."
  type        = map(list(number))
}

variable "mail" {
  description = "Who is told of alarms and of the budget."
  type        = set(string)
}

variable "budget_usd" {
  description = "US dollars a month; null: no budget."
  type        = number
}

variable "hosts" {
  description = "Instances by tier, watched by AWS's own checks."
  type        = map(string)
}

variable "database" {
  description = "Identifier of RDS; empty: none."
  type        = string
}

variable "dead_queue_name" {
  description = "Queue of events that App could not finish."
  type        = string
}
